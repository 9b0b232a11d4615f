import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

export interface Price {
  readonly id: number;
  readonly cents: number;
}

export interface Guide {
  readonly topic: string;
  readonly text: string;
}

export interface Invoice {
  readonly number: number;
  readonly lines: readonly string[];
}

export interface Stock {
  readonly shelf: number;
  readonly pieces: number;
}

/** Stands for a query, milliseconds. */
const QUERY_MS = 20;
const SHELF = 50;

/** The origin of the lessons: small, and as slow as a query. */
@Injectable()
export class Lessons {
  readonly #sold = new Map<number, number>();

  async price(id: number): Promise<Price> {
    await pause(QUERY_MS);
    return { id, cents: 100 + ((id * 7_919) % 9_900) };
  }

  async guide(topic: string): Promise<Guide> {
    await pause(QUERY_MS);
    return { topic, text: `How to choose ${topic}.` };
  }

  async invoice(number: number): Promise<Invoice> {
    await pause(QUERY_MS);
    return { number, lines: [`Order ${number}`, 'Paid'] };
  }

  async stock(shelf: number): Promise<Stock> {
    await pause(QUERY_MS);
    return { shelf, pieces: SHELF - ((this.#sold.get(shelf) ?? 0) % SHELF) };
  }

  sell(shelf: number): void {
    this.#sold.set(shelf, (this.#sold.get(shelf) ?? 0) + 1);
  }
}
