// Jest cannot require() ES modules before Node 24.9. CommonJS packages that require the ESM-only Nest packages get the
// same module namespaces, so that dependency injection has the same identities.
import 'reflect-metadata';
import { createRequire } from 'node:module';
import { jest } from '@jest/globals';
import * as nestCommon from '@nestjs/common';

jest.mock('@nestjs/common', () => nestCommon);

// light-my-request requires the ESM-only cookie.
const cookiePath = createRequire(createRequire(import.meta.url).resolve('light-my-request')).resolve('cookie');
const cookie = await import(cookiePath);
jest.mock(cookiePath, () => cookie);
