/* Workers are made of our own files alone: the policy of the pages asks for a rule that says so, and this is the only one there is. */

type Policy = { createScriptURL(text: string): string };
let policy: Policy | null = null;

/** @throws TypeError for anything but a worker of the console */
function check(given: string): string {
  const url = new URL(given, document.baseURI);
  if (url.origin !== window.location.origin || !/\/assets\/(?:[\w]+-)?worker-[\w-]{8}\.js$/.test(url.pathname))
    throw new TypeError('This is no worker of the console');
  return url.href;
}

/** @param file what an import of `…?worker&url` gives */
export function startWorker(file: string): Worker {
  const factory = (window as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } }).trustedTypes;
  if (factory === undefined) return new Worker(check(file), { type: 'module' });
  policy ??= factory.createPolicy('rota', { createScriptURL: check });
  return new Worker(policy.createScriptURL(file), { type: 'module' });
}
