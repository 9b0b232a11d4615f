import { useState } from 'preact/hooks';
import { mayWrite } from './advice';
import { type Refusal, write } from './api';
import { duration, labelled, moment, percent } from './format';
import { Card, DeclaredBy, Fact, Loaded, Refused } from './parts';
import { refresh, type Resource, useResource } from './resource';
import { namedCache } from './route';
import type { TermName } from './terms';
import type { PolicyReport } from './wire';

const EVERY_MS = 10_000;

export function usePolicies(pattern?: string): Resource<readonly PolicyReport[]> {
  return useResource('policies', { pattern, ...namedCache.value }, EVERY_MS);
}

/** Returns the TTL in force as text, marked if it is not the declared TTL. */
export function ttlOf({ effective, override, automatic }: PolicyReport): string {
  const { ttl_ms: ttl, ttl_by_value: byValue } = effective;
  const text = byValue ? 'by value' : ttl === null ? 'no end' : duration(ttl);
  return override !== null ? `${text} (set)` : automatic !== null ? `${text} (auto)` : text;
}

/** Shows the declared policy of a pattern, the policy in force, and a button that restores the declared one. */
export function Policy({ pattern }: { pattern: string }) {
  const policies = usePolicies(pattern);
  return (
    <Card title="Policy" covers="in force now">
      <Loaded
        of={policies}
        absent="This release does not list policies."
        empty={(all) => !all.some((one) => one.pattern === pattern)}
        nothing="No handler declares this pattern: the defaults of the cache are in force."
      >
        {(all) => <Report of={all.find((one) => one.pattern === pattern)!} />}
      </Loaded>
    </Card>
  );
}

function Report({ of }: { of: PolicyReport }) {
  const { override, automatic, outcome, varies } = of;
  const declared: Readonly<Record<string, unknown>> = of.declared;
  const effective: Readonly<Record<string, unknown>> = of.effective;
  const changed = Object.keys(effective).filter(
    (name) => JSON.stringify(effective[name]) !== JSON.stringify(declared[name]),
  );
  return (
    <>
      <dl class="facts">
        {Object.entries(effective)
          .filter(([name, value]) => value !== null && value !== false && value !== 0 && !changed.includes(name))
          .map(([name, value]) => {
            const [label, text] = labelled(name, value);
            return <Fact key={name} term={name as TermName} label={label} value={text} />;
          })}
      </dl>
      {changed.map((name) => (
        <p class="change" key={name}>
          <code>{labelled(name, 0)[0]}</code> <del>{labelled(name, declared[name])[1]}</del> →{' '}
          <ins>{labelled(name, effective[name])[1]}</ins>
        </p>
      ))}
      {(override ?? automatic) && (
        <p class="muted">
          {override ? `set by ${override.set_by} at ${moment(override.set_at)}` : 'set by the automatic TTL'}
          {override?.expires_at && `, until ${moment(override.expires_at)}`}
        </p>
      )}
      {varies.length > 0 && (
        <p class="muted">
          Its handlers declare different values of {varies.map((name) => labelled(name, 0)[0]).join(', ')}: those of the
          first are shown.
        </p>
      )}
      {outcome && (
        <dl class="facts">
          <Fact term="hit_rate" label="Predicted hit rate" value={percent(outcome.predicted.hit_rate)} />
          <Fact term="hit_rate" label="Realised hit rate" value={percent(outcome.realised.hit_rate)} />
          <Fact term="stale_share" label="Predicted stale share" value={percent(outcome.predicted.stale_share)} />
          <Fact term="stale_share" label="Realised stale share" value={percent(outcome.realised.stale_share)} />
        </dl>
      )}
      {of.declared_by && of.declared_by.length > 0 && (
        <p class="muted">
          <DeclaredBy places={of.declared_by} />
        </p>
      )}
      {override && <Revert pattern={of.pattern} />}
    </>
  );
}

function Revert({ pattern }: { pattern: string }) {
  const [refusal, setRefusal] = useState<Refusal>();
  if (!mayWrite.value) return null;
  const revert = async () => {
    try {
      await write('DELETE', 'policies', { pattern, ...namedCache.value });
      refresh();
    } catch (error) {
      setRefusal(error as Refusal);
    }
  };
  return (
    <div class="actions">
      {refusal && <Refused refusal={refusal} />}
      <span class="push" />
      <button type="button" onClick={() => void revert()}>
        Revert
      </button>
    </div>
  );
}
