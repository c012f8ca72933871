// Loaded into servers of tests (`node --require`) and into the tests themselves: what was written survives the death of a process, and nothing here
// crashes the machine. After a death the database syncs each of its thousand files.
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

Object.assign(fs, { fsyncSync: () => {} });
syncBuiltinESMExports();
