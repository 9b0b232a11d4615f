import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The name in the package.json that the process was started beside. */
export function packageName(): string {
  try {
    const { name } = JSON.parse(readFileSync(join(process.cwd(), 'package.json'), 'utf8')) as { name?: unknown };
    if (typeof name === 'string' && name !== '') return name;
  } catch {
    // There is none to read: an application need not have one.
  }
  return process.env['npm_package_name'] ?? 'nestjs-application';
}
