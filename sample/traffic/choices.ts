import type { Browser } from './browser.js';
import { Zipf } from './zipf.js';

/** What visitors can choose from, the most popular first, and how they choose. */
export interface Choices {
  readonly terms: readonly string[];
  readonly categories: readonly string[];
  readonly sellers: readonly number[];
  readonly products: number;
  /** The lessons whose advice is followed: visitors go to the code that follows it. */
  readonly followed: Set<string>;
  readonly draw: {
    readonly page: Zipf;
    readonly term: Zipf;
    readonly category: Zipf;
    readonly seller: Zipf;
    readonly product: Zipf;
    /** The place of an item in a list that somebody looks at. */
    readonly place: Zipf;
    /** A price, guide or shelf of the lessons. */
    readonly lesson: Zipf;
  };
}

const PAGES = 20;
const PLACES = 24;
const LESSONS = 40;

/** Reads what visitors can choose from, once, before they come. */
export async function readChoices(browser: Browser): Promise<Choices> {
  const { catalogue } = await browser.json<{ catalogue?: { products?: number } }>('/');
  const products = catalogue?.products;
  if (typeof products !== 'number') throw new Error('/ has no catalogue: this is not the marketplace.');
  const terms = (await browser.json<{ term: string }[]>('/search/trending?limit=200')).map(({ term }) => term);
  const categories = (await browser.json<{ slug: string }[]>('/categories/top')).map(({ slug }) => slug);
  const sellers = (await browser.json<{ id: number }[]>('/sellers/live')).map(({ id }) => id);
  return {
    terms,
    categories,
    sellers,
    products,
    followed: new Set(),
    draw: {
      page: new Zipf(PAGES, 1.4),
      term: new Zipf(terms.length, 0.9),
      category: new Zipf(categories.length, 0.8),
      seller: new Zipf(sellers.length, 0.8),
      product: new Zipf(products, 1),
      place: new Zipf(PLACES, 0.9),
      lesson: new Zipf(LESSONS, 0.9),
    },
  };
}
