import type { DatabaseSnapshot } from '../../database/records/database-snapshot.js';
import type { AlertChange as ServerAlertChange } from '../../insight/alerts/alert.js';
import type { HotKey as ServerHotKey } from '../../insight/hot-key-figures.js';
import type { MemoryLadder as ServerMemoryLadder } from '../../insight/memory-ladder.js';
import type { FleetMemoryLadder, FleetMemoryRung } from '../../insight/memory-ladders-together.js';
import type { Recommendation as ServerRecommendation } from '../../insight/recommendations/recommendation-types.js';
import type { TtlLadder as ServerTtlLadder } from '../../insight/ladder-report.js';
import type * as snapshot from '../../metrics/snapshot.js';
import type { Presented } from '../../monitoring/presenter.js';
import type { CacheInformation } from '../../monitoring/server-information.js';
import type * as tuning from '../../tuning/policy-tuning.js';
import type * as warming from '../../warming/warming-report.js';
import type { InstanceList as ServerInstanceList } from '../../instances/instances.js';
import type { MemoryByPattern as ServerMemoryByPattern } from '../../monitoring/memory-by-pattern.js';
import type { ShownPolicy } from '../../monitoring/shown-policy.js';
import type { DashboardFacts } from '../dashboard-facts.js';

/*
 * The types of the routes' answers: the server's own types, with the names that JSON has. If the server renames or removes a
 * field, the client does not compile.
 */

export type WindowName = snapshot.History['window'];
export const WINDOWS: readonly WindowName[] = ['1m', '5m', '1h', '24h'];
export type ScopeName = 'instance' | 'fleet';

export type Stats = Presented<snapshot.CacheStats>;
export type MissReasons = Stats['miss_reasons'];
export type MissReason = keyof MissReasons;
export type PatternStats = Presented<snapshot.PatternStats>;
export type EndpointStats = Presented<snapshot.EndpointStats>;
export type LayerStats = Presented<snapshot.LayerStats>;
export type LowPerformer = Presented<snapshot.LowPerformer>;
export type Health = Presented<snapshot.HealthReport>;
export type Warning = Health['warnings'][number];
export type Realtime = Presented<snapshot.Realtime>;
export type History = Presented<snapshot.History>;
export type HistoryPoint = History['points'][number];
export type Information = Presented<CacheInformation>;
export type LayerInformation = Information['layers'][number];
export type Database = Presented<DatabaseSnapshot>;
export type Recommendation = Presented<ServerRecommendation>;
export type TtlLadder = Presented<ServerTtlLadder>;
export type TtlRung = TtlLadder['ladder'][number];
/** The ladder of this instance, or of the fleet, which has more fields. */
export type MemoryLadder = Presented<
  Omit<ServerMemoryLadder, 'ladder'> & Partial<Omit<FleetMemoryLadder, 'ladder'>>
> & {
  readonly ladder: readonly MemoryRung[];
};
export type MemoryRung = Presented<ServerMemoryLadder['ladder'][number] & Partial<FleetMemoryRung>>;
export type MemoryByPattern = Presented<ServerMemoryByPattern>;
export type PatternMemory = MemoryByPattern['patterns'][number];
export type HotKey = Presented<ServerHotKey>;
export type AlertChange = Presented<ServerAlertChange>;
export type Alert = AlertChange['alert'];
export type WarmingReport = Presented<warming.WarmingReport>;
export type StrategyReport = Presented<warming.StrategyReport>;
export type WarmingProgress = Presented<warming.WarmingProgress>;
/** The policy of a pattern: as declared, as overridden, and as in force. */
export type PolicyReport = Presented<ShownPolicy>;
export type DeclaringMethod = PolicyReport['declared_by'][number];
export type PolicyEvent = Presented<tuning.PolicyEvent>;
export type Context = Presented<DashboardFacts>;
export type InstanceList = Presented<ServerInstanceList>;
export type Instance = InstanceList['instances'][number];
