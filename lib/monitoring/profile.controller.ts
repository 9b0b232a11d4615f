import { Get, Inject, Post, Req, Res, type Type, UseGuards } from '@nestjs/common';
import { CpuProfiler } from '../profiling/cpu-profile.js';
import { flamegraphSvg } from '../profiling/flamegraph-svg.js';
import { foldedText } from '../profiling/folded-stacks.js';
import type { CacheProfiler } from '../profiling/profiler.js';
import { speedscope } from '../profiling/speedscope.js';
import { closedInProduction } from './access.js';
import { cpuProfileSecondsOf } from './bodies.js';
import { type Monitoring, MonitoredRoutes } from './monitored-routes.js';
import { MonitoringError } from './monitoring-error.js';
import { flamegraphFormatOf, type MonitoringRequest } from './parameters.js';
import { Reply } from './reply.js';

/** Token of the profiler that samples this cache; undefined where profiling is off. */
export const MONITORED_PROFILER = Symbol('cache-observability:monitored-profiler');

const TITLE = 'Operations of the cache';

/** The routes that show where time goes; a class of its own for every registration. */
export function profileController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheProfileController {
    readonly #profiler: CacheProfiler | undefined;
    readonly #cpu: CpuProfiler;
    readonly #reply: Reply;

    constructor(
      @Inject(MONITORED_PROFILER) profiler: CacheProfiler | undefined,
      @Inject(CpuProfiler) cpu: CpuProfiler,
      @Inject(Reply) reply: Reply,
    ) {
      this.#profiler = profiler;
      this.#cpu = cpu;
      this.#reply = reply;
    }

    @Get('flamegraph')
    flamegraph(@Req() request: MonitoringRequest, @Res() response: unknown): void {
      const format = flamegraphFormatOf(request);
      if (this.#profiler === undefined) {
        throw new MonitoringError(
          404,
          'PROFILING_OFF',
          'Nothing is sampled: set profiling: true in the options of CacheObservabilityModule and start the application again.',
        );
      }
      const stacks = this.#profiler.stacks();
      if (format === 'svg') this.#reply.text(response, flamegraphSvg(stacks, TITLE), 'image/svg+xml; charset=utf-8');
      else if (format === 'speedscope') this.#reply.document(response, speedscope(stacks, TITLE));
      else this.#reply.text(response, foldedText(stacks), 'text/plain; charset=utf-8');
    }

    @Post('cpu-profile')
    @UseGuards(closedInProduction(monitoring))
    async cpuProfile(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const profile = await this.#cpu.take(cpuProfileSecondsOf(request));
      const name = `cache-${new Date().toISOString().replace(/[:.]/g, '-')}.cpuprofile`;
      this.#reply.header(response, 'Content-Disposition', `attachment; filename="${name}"`);
      this.#reply.document(response, profile);
    }
  }
  return CacheProfileController;
}
