/** Options of the fast lane, which answers hits before the framework gets their requests. */
export interface FastLaneOptions {
  /**
   * Middleware and framework hooks that need not run for a hit, by the name of their class or function. `'anonymous'`: all without
   * a name.
   * `true`: all of them. Their headers are still sent: the lane learns them from the full path. Because they may be derived from
   * anything in a request, hits are then answered only for equal requests: all headers, from one IP address. Requests with
   * a cookie or an unknown header always take the full path.
   * @default []
   */
  readonly skipMiddleware?: true | readonly string[];
}
