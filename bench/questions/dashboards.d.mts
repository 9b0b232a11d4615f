/** The routes that the first page requests, each with its interval in seconds. */
export declare const ROUTES: readonly (readonly [path: string, everySeconds: number])[];
