import fc from 'fast-check';

/** As much of JSON Schema as zod writes. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
}

type Resolve = (reference: string) => JsonSchema;

/** Words that have broken servers before, among any others. */
const text = fc.oneof(
  fc.constantFrom(
    'shop',
    'en/returns.md',
    '退货期限是多少天？',
    '../../etc/passwd',
    '__proto__',
    '\0',
    '\ud800',
    '{{fence}}',
  ),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.uuid(),
);

const anything: fc.Arbitrary<unknown> = fc.jsonValue({ maxDepth: 3 });

/** Values that fit the schema in most places; in some, anything at all. */
export function arbitraryOf(schema: JsonSchema, resolve: Resolve, depth = 0): fc.Arbitrary<unknown> {
  const fitting = fittingTo(schema, resolve, depth);
  return fc.oneof({ weight: 12, arbitrary: fitting }, { weight: 1, arbitrary: anything });
}

function fittingTo(schema: JsonSchema, resolve: Resolve, depth: number): fc.Arbitrary<unknown> {
  const next = (part: JsonSchema): fc.Arbitrary<unknown> => arbitraryOf(part, resolve, depth + 1);
  if (depth > 6) return fc.constant(null);
  if (schema.$ref !== undefined) return next(resolve(schema.$ref));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choices !== undefined) return fc.oneof(...choices.map(next));
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'object') {
    const { properties = {}, required = [] } = schema;
    const fields = Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, next(part)]));
    return fc.record(fields, { requiredKeys: required.filter((name) => name in fields) });
  }
  if (type === 'array') return fc.array(next(schema.items ?? {}), { maxLength: 4 });
  if (type === 'integer' || type === 'number')
    return fc.oneof(fc.integer({ min: -2, max: 300 }), fc.double(), fc.maxSafeInteger());
  if (type === 'boolean') return fc.boolean();
  if (type === 'null') return fc.constant(null);
  // Of our patterns the ids of knowledge bases are the ones that open the most.
  if (schema.pattern !== undefined && schema.format === undefined) {
    return fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('shop', 'other') },
      { weight: 1, arbitrary: text },
    );
  }
  return schema.format === 'uuid' ? fc.oneof(fc.uuid(), text) : text;
}
