/* The first import of main.ts: on a Node that is too old it says so before anything else fails for a reason nobody understands. */

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `Rota needs Node 20.19 or later, but this is Node ${process.versions.node}. Install a later one, then run npm ci.`,
  );
  process.exit(1);
}
