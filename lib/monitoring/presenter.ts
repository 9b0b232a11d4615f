/**
 * The wire's form of what the library answers: every field in snake_case, nothing else changed. The one place where
 * names turn, so that code stays in camelCase and documents, dashboards and scripts in snake_case.
 */
export function present(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(present);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [snakeCase(name), present(item)]));
}

/** `p95ResponseTimeMs` → `p95_response_time_ms`; what is no camelCase (`24h`, `half_open`) stays as it is. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
