import { callable, orFalse, oneOf, recordOf, type Rule, shape } from '../../cache/options/option-rules.js';
import { SEVERITIES } from './alert.js';

/** Checks the URL of a webhook. It is a secret: no message shows it. */
const webhookUrl: Rule = (value, path, report) => {
  const isAddress = typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
  if (!isAddress) report(`${path}: must be an address that begins with http:// or https://`);
};

const headerValue: Rule = (value, path, report) => {
  if (typeof value !== 'string' || !/^[\t\x20-\x7e]*$/.test(value)) {
    report(`${path}: must be a text of printable ASCII characters`);
  }
};

const headers: Rule = (value, path, report) => {
  recordOf(headerValue)(value, path, report);
  if (typeof value !== 'object' || value === null) return;
  for (const name of Object.keys(value)) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) report(`${path}: ${JSON.stringify(name)} is not a header's name`);
  }
};

/** The rules of the option `alerts`. */
export const alertsRule: Rule = orFalse(
  shape({
    onAlert: callable,
    webhook: shape({ url: webhookUrl, headers, format: oneOf('json', 'slack') }, ['url']),
    minSeverity: oneOf(...SEVERITIES),
  }),
);
