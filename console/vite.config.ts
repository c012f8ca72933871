import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

/** The rehearsal loads the engine of patterns when it comes to one (rehearse/patterns.ts). */
const patternsLater: Plugin = {
  name: 'patterns-later',
  enforce: 'pre',
  resolveId: (source, importer) =>
    source === 're2js' && importer?.includes('/rehearse/') !== true
      ? join(import.meta.dirname, 'rehearse/patterns.ts')
      : null,
};

/* The browser's side is built into dist/pages; the server reads it from there at its start. Development only. */
export default defineConfig({
  root: import.meta.dirname,
  // Addresses are relative, so the pages work below any path a proxy gives them.
  base: './',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // One reader of styles instead of two: it makes them small in any case. All of these browsers know light-dark().
  css: {
    transformer: 'lightningcss',
    lightningcss: { targets: { chrome: 123 << 16, firefox: 120 << 16, safari: (17 << 16) | (5 << 8) } },
  },
  worker: { format: 'es', plugins: () => [patternsLater] },
  build: {
    outDir: '../dist/pages',
    emptyOutDir: true,
    target: 'es2022',
    // The policy allows scripts and styles from files alone.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
