import { FORMAT_JSON } from './codec.js';
import { BODY_AT } from './record-head.js';

/*
 * Records as text, for stores that hold only text. A JSON record begins with `j` and stays readable. Other records are base64 after a `b`.
 */

export function textOfRecord(record: Buffer): string {
  if (record[0] !== FORMAT_JSON) return `b${record.toString('base64')}`;
  return `j${record.toString('base64', 1, BODY_AT)}${record.toString('utf8', BODY_AT)}`;
}

/** Returns the record in a text; undefined if there cannot be one. The codec checks the rest. */
export function recordOfText(text: unknown): Buffer | undefined {
  if (typeof text !== 'string') return undefined;
  if (text.startsWith('b')) return Buffer.from(text.slice(1), 'base64');
  if (!text.startsWith('j') || text.length <= HEAD) return undefined;
  const head = Buffer.from(text.slice(1, HEAD), 'base64');
  return head.length === BODY_AT - 1 ? Buffer.concat([JSON_FORMAT, head, Buffer.from(text.slice(HEAD))]) : undefined;
}

const HEAD = 1 + 4 * Math.ceil((BODY_AT - 1) / 3);
const JSON_FORMAT = Buffer.of(FORMAT_JSON);
