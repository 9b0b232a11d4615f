import type { Socket } from 'node:net';
import { expect, it } from '@jest/globals';
import { hasCertificate, mayNameCaller } from '../../../lib/caching/fast-lane/caller-form.js';

it.each([
  ['sec-token', true],
  ['sec-user', true],
  ['sec-fetch-site', false],
  ['sec-ch-ua-mobile', false],
  ['sec-gpc', false],
])('a request with the header %s may identify its caller: %s', (name, expected) => {
  expect(mayNameCaller({ [name]: 'x' }, [])).toBe(expected);
});

it.each([
  ['without TLS', {}, false],
  ['with TLS alone', { authorized: false, authorizationError: null }, false],
  ['with a certificate', { authorized: true, authorizationError: null }, true],
  ['with an unsigned certificate', { authorized: false, authorizationError: 'SELF_SIGNED' }, true],
])('a connection %s has a certificate that may identify its caller: %#', (_, socket, expected) => {
  expect(hasCertificate(socket as unknown as Socket)).toBe(expected);
});
