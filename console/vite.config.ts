import { defineConfig } from 'vite';

/* The browser's side is built into dist/pages; the server reads it from there at its start. Development only. */
export default defineConfig({
  root: import.meta.dirname,
  // Addresses are relative, so the pages work below any path a proxy gives them.
  base: './',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
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
