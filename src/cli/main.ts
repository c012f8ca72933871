#!/usr/bin/env node
import './node-version.ts';
import { run } from './run.ts';

const code = await run(process.argv.slice(2));
if (code !== null) process.exit(code);
