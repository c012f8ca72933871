/* The engine of patterns, in a file of its own (patterns.ts). */
export { RE2JS } from 're2js';
