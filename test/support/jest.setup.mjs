// Jest cannot require() ES modules before Node 24.9. CommonJS packages that require the ESM-only Nest
// packages are handed the very same module namespaces, so that dependency injection keeps its identities.
import 'reflect-metadata';
import { jest } from '@jest/globals';
import * as nestCommon from '@nestjs/common';

jest.mock('@nestjs/common', () => nestCommon);
