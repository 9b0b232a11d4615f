/** What the first page asks, each with how often, seconds. */
export declare const ROUTES: readonly (readonly [path: string, everySeconds: number])[];
