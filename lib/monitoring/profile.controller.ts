import { Get, Inject, Post, Req, Res, type Type } from '@nestjs/common';
import { CpuProfiler } from '../profiling/cpu-profile.js';
import type { CacheProfiler } from '../profiling/profiler.js';
import { cpuProfileSecondsOf } from './bodies.js';
import { MonitoredRoutes } from './monitored-routes.js';
import type { Monitoring } from './monitoring.options.js';
import { MonitoringError } from './monitoring-error.js';
import { flamegraphFormatOf, type MonitoringRequest } from './parameters.js';
import { Reply } from './reply.js';
import { Write } from './access.js';

/** Token of the profiler that samples this cache; undefined if profiling is off. */
export const MONITORED_PROFILER = Symbol('cache-observability:monitored-profiler');

const TITLE = 'Operations of the cache';

/** The routes of profiling; each registration has its own class. */
export function profileController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheProfileController {
    constructor(
      @Inject(MONITORED_PROFILER) private readonly profiler: CacheProfiler | undefined,
      @Inject(CpuProfiler) private readonly cpu: CpuProfiler,
      @Inject(Reply) private readonly reply: Reply,
    ) {}

    @Get('flamegraph')
    async flamegraph(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const format = flamegraphFormatOf(request);
      if (this.profiler === undefined) {
        throw new MonitoringError(
          404,
          'PROFILING_OFF',
          'Nothing is sampled: set profiling: true in the options of CacheObservabilityModule and start the application again.',
        );
      }
      const { flamegraphSvg, foldedText, speedscope } = await import('../profiling/views.js');
      const stacks = this.profiler.stacks();
      if (format === 'svg') this.reply.text(response, flamegraphSvg(stacks, TITLE), 'image/svg+xml; charset=utf-8');
      else if (format === 'speedscope') this.reply.document(response, speedscope(stacks, TITLE));
      else this.reply.text(response, foldedText(stacks), 'text/plain; charset=utf-8');
    }

    @Post('cpu-profile')
    @Write(monitoring)
    async cpuProfile(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const profile = await this.cpu.take(cpuProfileSecondsOf(request));
      const name = `cache-${new Date().toISOString().replace(/[:.]/g, '-')}.cpuprofile`;
      this.reply.header(response, 'Content-Disposition', `attachment; filename="${name}"`);
      this.reply.document(response, profile);
    }
  }
  return CacheProfileController;
}
