import { ClassSerializerInterceptor, Controller, Get, Inject, Injectable } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Exclude, Expose } from 'class-transformer';
import { Column, DataSource, Entity, ManyToOne, OneToMany, PrimaryGeneratedColumn } from 'typeorm';
import { CacheObservabilityModule, Cached, memoryLayer, redisLayer } from '../../lib/index.js';
import { boot, closeApps, platforms } from '../support/apps.js';
import { PostgresServer } from '../support/postgres.js';
import { RedisServer } from '../support/redis.js';

@Entity()
class Author {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('text')
  name!: string;

  @Exclude()
  @Column('text')
  password!: string;

  @Column('timestamptz')
  since!: Date;

  @OneToMany(() => Book, (book) => book.author)
  books!: unknown[];

  @Expose()
  get label(): string {
    return `${this.name} #${this.id}`;
  }
}

@Entity()
class Book {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('text')
  title!: string;

  @ManyToOne(() => Author, (author) => author.books)
  author!: unknown;

  @ManyToOne(() => Author)
  editor!: Promise<unknown>;
}

let postgres: PostgresServer;
let redis: RedisServer;
let source: DataSource;
let loads = 0;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([PostgresServer.start(), RedisServer.start()]);
  const { port } = postgres;
  source = await new DataSource({
    type: 'postgres', host: '127.0.0.1', port, username: 'postgres', database: 'postgres', entities: [Author, Book], synchronize: true,
  }).initialize(); // prettier-ignore
  const author = await source.getRepository(Author).save({ name: 'ann', password: 's3cret', since: new Date(0) });
  await source.query('insert into book (title, "authorId", "editorId") values ($1, $2, $2)', ['Caches', author.id]);
});
afterEach(async () => {
  loads = 0;
  await closeApps();
});
afterAll(async () => {
  await source.destroy();
  await Promise.all([postgres.stop(), redis.dispose()]);
});

@Injectable()
class Library {
  constructor(@Inject(DataSource) private readonly database: DataSource) {}

  @Cached('author:*', { classes: [Author] })
  async author(id: number): Promise<Author> {
    return this.read(id);
  }

  @Cached('book:*')
  async book(title: string): Promise<Book> {
    loads += 1;
    return this.database.getRepository(Book).findOneByOrFail({ title });
  }

  async read(id: number): Promise<Author> {
    loads += 1;
    return this.database.getRepository(Author).findOneByOrFail({ id });
  }
}

@Controller()
class Authors {
  constructor(private readonly library: Library) {}

  @Get('cached')
  cached() {
    return this.library.author(1);
  }

  @Get('uncached')
  uncached() {
    return this.library.read(1);
  }
}

describe.each(platforms)('entities of TypeORM on %s', (platform) => {
  const start = () =>
    boot(platform, {
      imports: [
        CacheObservabilityModule.forRoot({
          namespace: `typeorm-${platform}`,
          layers: [memoryLayer(), redisLayer({ url: redis.url })],
          prometheus: false,
          monitoring: false,
        }),
      ],
      controllers: [Authors],
      providers: [
        Library,
        { provide: DataSource, useFactory: () => source },
        { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor },
      ],
    });

  it('TypeORM entities are serialized as without a cache, and can be saved again by their caller', async () => {
    const { app, ask } = await start();
    const { text } = await ask().get('/uncached').expect(200);
    expect(text).toContain('ann #1');
    expect(text).not.toContain('s3cret');
    for (const _ of ['miss', 'hit']) expect((await ask().get('/cached').expect(200)).text).toBe(text);
    const other = await start();
    expect((await other.ask().get('/cached').expect(200)).text).toBe(text);
    expect(loads).toBe(2);
    const author = await app.get(Library).author(1);
    expect(author).toBeInstanceOf(Author);
    author.name = 'ann';
    await expect(source.manager.save(author)).resolves.toBe(author);
  });

  it('TypeORM entities with a lazy relation are loaded for each caller, which can follow the relation', async () => {
    const library = (await start()).app.get(Library);
    for (const _ of [1, 2]) expect(await (await library.book('Caches')).editor).toMatchObject({ name: 'ann' });
    expect(loads).toBe(2);
  });
});
