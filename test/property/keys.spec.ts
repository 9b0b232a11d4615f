import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { encodeValue } from '../../lib/caching/keys/argument-encoding.js';
import { InputsRecipe, type KeyPart, queryLabel, TemplateRecipe } from '../../lib/caching/keys/key-recipe.js';
import { keyTemplate, overlap } from '../../lib/caching/keys/key-template.js';
import { MethodRecipe } from '../../lib/caching/keys/method-recipe.js';
import { encodeInput } from '../../lib/caching/keys/value-encoding.js';
import { TemplateSlot } from '../../lib/caching/keys/template-slot.js';
import type { Call } from '../../lib/caching/inputs/call.js';

/** Text that looks like something else, and any well-formed text. */
const text = fc.oneof(
  fc.constantFrom(
    '',
    '7',
    '-0',
    'null',
    'undefined',
    'true',
    'NaN',
    '7n',
    '~',
    '~7',
    "'7'",
    '%',
    '%2F',
    ':',
    'a:b',
    'a&b=c',
    '…',
    '"7"',
  ),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('😀', 'ž', 'a', '%', ':', '~', "'", '&', '=', '?', '/') }),
);
const scalar = fc.oneof(
  text,
  fc.double(),
  fc.integer({ min: -10, max: 10 }),
  fc.boolean(),
  fc.bigInt(),
  fc.constantFrom(null, undefined, -0, 0, NaN),
);
const value: fc.Arbitrary<unknown> = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom('a', 'b', 'a,b', '"a"'), fc.string()), tie('any'), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
    fc.date({ noInvalidDate: false }),
    fc.array(tie('any'), { maxLength: 2 }).map((items) => new Set(items)),
    fc.array(fc.tuple(scalar, tie('any')), { maxLength: 2 }).map((items) => new Map(items)),
    fc.uint8Array({ maxLength: 3 }),
    fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
  ),
})).any;
/** Pairs: a value with an equal, a similar or any other value. */
const pair = fc.oneof(
  fc.tuple(value, value),
  value.map((one) => [one, one] as const),
  fc.tuple(scalar, scalar),
);

const same = (one: unknown, other: unknown): boolean => isDeepStrictEqual(one, other);
const call = (...args: unknown[]): Call => ({ args, execution: undefined, instance: undefined });
const runs = { numRuns: 3_000 };

describe('keys', () => {
  it('keys are equal for two values exactly if the values are equal', () => {
    fc.assert(
      fc.property(pair, ([one, other]) => {
        // The order of Sets and Maps is part of the encoding, too.
        fc.pre(!same(one, other) || encodeValue(one) === encodeValue(other) || hasUnordered(one));
        expect(encodeValue(one) === encodeValue(other)).toBe(
          same(one, other) && !(hasUnordered(one) && encodeValue(one) !== encodeValue(other)),
        );
      }),
      runs,
    );
  });

  it('keys of methods differ for any two lists of arguments', () => {
    const recipe = new MethodRecipe('x:A.b', 'A.b()', [], new Set(), String, true);
    const list = fc.array(value, { maxLength: 3 });
    fc.assert(
      fc.property(list, list, (one, other) => {
        if (!same(one, other)) expect(recipe.ofArguments(one)).not.toBe(recipe.ofArguments(other));
      }),
      runs,
    );
  });

  it("keys do not depend on the order of an object's keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), scalar), (object) => {
        const turned = Object.fromEntries(Object.entries(object).reverse());
        expect(encodeValue(turned)).toBe(encodeValue(object));
      }),
    );
  });

  it('keys of templates differ for any two sets of inputs', () => {
    const template = keyTemplate('a:{0}b{1}:c:{2}');
    for (const kind of ['text', 'typed'] as const) {
      const parts = [0, 1, 2].map((index) => ({
        read: ({ args }: Call) => args[index],
        name: '',
        slot: new TemplateSlot(kind, template.stops[index]!),
        missing: undefined,
      }));
      const recipe = new TemplateRecipe(template, parts);
      const inputs = fc.tuple(scalar, scalar, value);
      fc.assert(
        fc.property(inputs, inputs, (one, other) => {
          if (!same(one, other)) expect(recipe.keyOf(call(...one))).not.toBe(recipe.keyOf(call(...other)));
        }),
        runs,
      );
    }
  });

  it('keys of routes differ for any two sets of inputs, including a whole query', () => {
    const part = (label: string | undefined, index: number): KeyPart => ({
      label,
      read: ({ args }) => args[index],
      encode: encodeInput,
    });
    const recipe = new InputsRecipe('x:GET /x', [part(queryLabel('page'), 0), part(':id', 1), part(undefined, 2)]);
    const query = fc.dictionary(text, fc.oneof(text, fc.array(text, { maxLength: 2 })), {
      maxKeys: 3,
      noNullPrototype: true,
    });
    const optional = fc.option(text, { nil: undefined });
    const inputs = fc.tuple(
      optional,
      optional,
      query.filter((names) => !('page' in names)),
    );
    fc.assert(
      fc.property(inputs, inputs, (one, other) => {
        if (!same(one, other)) expect(recipe.keyOf(call(...one))).not.toBe(recipe.keyOf(call(...other)));
      }),
      runs,
    );
  });

  it('keys of two templates that do not overlap differ', () => {
    const literal = fc.string({ unit: fc.constantFrom('a', 'b', ':', '-'), maxLength: 3 });
    const source = fc
      .array(literal, { minLength: 1, maxLength: 3 })
      .map((parts) =>
        parts.reduce((all, part, index) => (index === 0 ? part : `${all}{${index - 1}}${part || ':'}`), ''),
      )
      .filter((whole) => whole !== '');
    const short = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', ':', '-'), maxLength: 2 }), {
      minLength: 2,
      maxLength: 2,
    });
    const keyOf = (pattern: string, values: unknown[]) => {
      const template = keyTemplate(pattern);
      const parts = template.paths.map((_, index) => ({
        read: ({ args }: Call) => args[index],
        name: '',
        slot: new TemplateSlot('text', template.stops[index]!),
        missing: undefined,
      }));
      return new TemplateRecipe(template, parts).keyOf(call(...values));
    };
    fc.assert(
      fc.property(source, source, short, short, (one, other, ofOne, ofOther) => {
        fc.pre(!overlap(keyTemplate(one), keyTemplate(other)));
        expect(keyOf(one, ofOne)).not.toBe(keyOf(other, ofOther));
      }),
      runs,
    );
  });
});

function hasUnordered(one: unknown): boolean {
  if (one instanceof Set || one instanceof Map) return true;
  return typeof one === 'object' && one !== null && Object.values(one).some(hasUnordered);
}
