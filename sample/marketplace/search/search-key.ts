/** The whole key of one search: the handler fills it from the query, warming from the term. */
export const SEARCH_KEY = 'search:{query.q}';

export const searchKey = (term: string): string => SEARCH_KEY.replace('{query.q}', () => term);
