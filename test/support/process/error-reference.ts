import { writeFileSync } from 'node:fs';
import { errorReference } from '../error-reference.js';

writeFileSync('docs/reference/errors.md', errorReference());
