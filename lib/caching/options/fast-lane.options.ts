/** Options of the fast lane, which answers hits before the framework gets their requests. */
export interface FastLaneOptions {
  /**
   * Middleware and framework hooks that need not run for a hit, by the name of their class or function. `'anonymous'` means all
   * that have no name.
   * `true` means all of them. Their response headers are still sent, because the lane learns them from the full path. These
   * headers may depend on anything in a request, so only equal requests are hits: with the same headers, from the same IP
   * address. Requests with a cookie or an unknown header always take the full path.
   * @default []
   */
  readonly skipMiddleware?: true | readonly string[];
}
