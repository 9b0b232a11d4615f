import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { installCommand, OPTIONAL_VERSIONS, type OptionalPackage } from '../../../lib/cache/optional-package.js';

const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  peerDependencies: Record<string, string>;
};

describe('the command that installs an optional package', () => {
  it.each(Object.entries(OPTIONAL_VERSIONS))('knows the versions of %s that package.json allows', (name, versions) => {
    expect(versions.join(' || ')).toBe(peerDependencies[name]);
  });

  it.each<[OptionalPackage, number | undefined, string]>([
    ['@nestjs/terminus', 11, 'npm install @nestjs/terminus@11'],
    ['@nestjs/terminus', 12, 'npm install @nestjs/terminus@12'],
    ['@nestjs/swagger', undefined, 'npm install @nestjs/swagger@12'],
    ['hot-shots', 11, 'npm install hot-shots@17'],
  ])('names the version of %s that fits Nest %s', (name, nest, command) => {
    expect(installCommand(name, nest)).toBe(command);
  });
});
