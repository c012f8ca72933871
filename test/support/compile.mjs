import { join } from 'node:path';
import { build } from 'vite';

/* `node compile.mjs PROJECT INTO ENTRY…`: puts what tests start as processes of their own together in a few files (compiled.ts). */

const [root, into, ...entries] = process.argv.slice(2);
/** They bring files of their own, or look for others. */
const FROM_PACKAGES = ['@electric-sql/pglite', '@ruby/prism', 'node-pg-migrate', 'pino', 'pg-native'];

await build({
  root,
  configFile: false,
  logLevel: 'error',
  publicDir: false,
  ssr: { target: 'node', noExternal: true, external: FROM_PACKAGES },
  build: {
    ssr: true,
    outDir: into,
    emptyOutDir: false,
    minify: false,
    target: 'node20',
    rolldownOptions: {
      input: Object.fromEntries(entries.map((entry) => [entry.replace(/\.ts$/, ''), join(root, entry)])),
      output: { format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
    },
  },
});
