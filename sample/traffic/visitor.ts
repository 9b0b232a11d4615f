import type { Answer, Browser } from './browser.js';
import type { Chance } from './chance.js';
import type { Choices } from './choices.js';

/** Where visitors begin, with the share of each. */
const BEGINNINGS: readonly [share: number, begin: (visitor: Visitor) => Promise<void>][] = [
  [0.24, (visitor) => visitor.discovers()],
  [0.15, (visitor) => visitor.searches()],
  [0.17, (visitor) => visitor.followsLink()],
  [0.06, (visitor) => visitor.looksAtTrends()],
  [0.07, (visitor) => visitor.browsesCategories()],
  [0.07, (visitor) => visitor.watchesSellers()],
  [0.24, (visitor) => visitor.takesLesson()],
];

/** Of those who look at a product, this share buys it. */
const BUYS = 0.03;

/** Of those who look at a shelf of the lessons, this share takes something from it. */
const TAKES = 0.05;

/** Of the links to the feed, this share carries a parameter of somebody's campaign, which the page does not read. */
const FROM_CAMPAIGN = 0.2;

/** Of the walks, this share begins with a look at the session; the first of a visitor opens one. */
const SIGNED_IN = 0.3;

/** Somebody who wanders through the marketplace, one request after another. */
export class Visitor {
  #session: string | undefined;

  constructor(
    private readonly browser: Browser,
    private readonly choices: Choices,
    private readonly chance: Chance,
    private readonly saw: (endpoint: string, answer: Answer) => Promise<void>,
  ) {}

  /** One walk: from a beginning to where the visitor loses interest. */
  async walk(): Promise<void> {
    if (this.chance.is(SIGNED_IN)) await this.signsIn();
    let left = this.chance.next();
    for (const [share, begin] of BEGINNINGS) {
      left -= share;
      if (left < 0) return begin(this);
    }
    await this.discovers();
  }

  async signsIn(): Promise<void> {
    const answer =
      this.#session === undefined
        ? await this.browser.post('/sessions', { visitor: 'A visitor' })
        : await this.browser.get('/sessions/current', { 'x-session': this.#session });
    const endpoint = this.#session === undefined ? 'POST /sessions' : 'GET /sessions/current';
    if (answer.status === 201) this.#session = (JSON.parse(answer.text) as { token: string }).token;
    if (answer.status === 401) this.#session = undefined;
    await this.saw(endpoint, answer);
  }

  async discovers(): Promise<void> {
    const page = this.choices.draw.page.draw(this.chance) + 1;
    const campaign = this.chance.is(FROM_CAMPAIGN) ? `&utm_source=letter-${Math.floor(this.chance.next() * 1000)}` : '';
    const feed = await this.#get('GET /feeds/discover', `/feeds/discover?page=${page}${campaign}`);
    await this.#clicksOn(feed);
    if (this.chance.is(0.4)) await this.#clicksOn(feed);
  }

  async searches(): Promise<void> {
    const term = this.choices.terms[this.choices.draw.term.draw(this.chance)] ?? 'lamp';
    const result = await this.#get('GET /search', `/search?q=${encodeURIComponent(term)}`);
    if (this.chance.is(0.7)) await this.#clicksOn(result);
  }

  /** From a letter, an advertisement or a friend. The popular ones are scattered over the whole catalogue. */
  async followsLink(): Promise<void> {
    const rank = this.choices.draw.product.draw(this.chance);
    await this.#looksAt(1 + ((rank * 4801) % this.choices.products));
  }

  async looksAtTrends(): Promise<void> {
    await this.#get('GET /search/trending', '/search/trending');
    await this.searches();
  }

  async browsesCategories(): Promise<void> {
    await this.#get('GET /categories/top', '/categories/top');
    const slug = this.choices.categories[this.choices.draw.category.draw(this.chance)];
    if (slug === undefined || !this.chance.is(0.8)) return;
    await this.#clicksOn(await this.#get('GET /categories/:slug', `/categories/${slug}`));
  }

  async watchesSellers(): Promise<void> {
    await this.#get('GET /sellers/live', '/sellers/live');
    const seller = this.choices.sellers[this.choices.draw.seller.draw(this.chance)];
    if (seller === undefined || !this.chance.is(0.8)) return;
    await this.#clicksOn(await this.#get('GET /sellers/:id', `/sellers/${seller}`));
  }

  /** What has one fault each, for the advice at the end. */
  async takesLesson(): Promise<void> {
    const chosen = this.choices.draw.lesson.draw(this.chance) + 1;
    const other = this.choices.draw.lesson.draw(this.chance) + 1;
    const referrer = Math.floor(this.chance.next() * 1e9);
    await this.#lesson('prices', String(chosen));
    await this.#lesson('guides', `topic-${other}?ref=${referrer}`);
    await this.#lesson('invoices', String(1 + referrer));
    await this.#lesson('stock', String(chosen));
    if (!this.chance.is(TAKES)) return;
    const path = this.#lessonPath('stock');
    await this.saw(`POST ${path}/:shelf`, await this.browser.post(`${path}/${chosen}`, {}));
  }

  async #lesson(lesson: string, rest: string): Promise<void> {
    await this.#get(
      `GET ${this.#lessonPath(lesson)}/:${lesson === 'stock' ? 'shelf' : 'id'}`,
      `${this.#lessonPath(lesson)}/${rest}`,
    );
  }

  #lessonPath(lesson: string): string {
    return this.choices.followed.has(lesson) ? `/lessons/followed/${lesson}` : `/lessons/${lesson}`;
  }

  async #clicksOn({ text }: Answer): Promise<void> {
    const ids = [...text.matchAll(/"id":(\d+),"title"/g)].map(([, id]) => Number(id));
    const id = ids[this.choices.draw.place.draw(this.chance) % Math.max(1, ids.length)];
    if (id !== undefined) await this.#looksAt(id);
  }

  async #looksAt(id: number): Promise<void> {
    const { status } = await this.#get('GET /products/:id', `/products/${id}`);
    if (status !== 200 || !this.chance.is(BUYS)) return;
    const quantity = this.chance.is(0.8) ? 1 : 2;
    const receipt = await this.browser.post(`/products/${id}/purchase`, { quantity });
    await this.saw('POST /products/:id/purchase', receipt);
  }

  async #get(endpoint: string, path: string): Promise<Answer> {
    const answer = await this.browser.get(path);
    await this.saw(endpoint, answer);
    return answer;
  }
}
