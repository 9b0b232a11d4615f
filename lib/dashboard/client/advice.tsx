import { signal } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';
import { TUNABLE_FIELDS } from '../../cache/policies/tunable-fields.js';
import { type Refusal, write } from './api';
import { count, labelled, moment, percent, plain } from './format';
import { issueText } from './issue-text';
import { Card, Copy, DeclaredBy, Defined, Fact, Loaded, PatternLink, Refused, Term } from './parts';
import { refresh, type Resource, useResource } from './resource';
import { namedCache, route, subject, windowName } from './route';
import { EVIDENCE, type TermName } from './terms';
import type { LowPerformer, Recommendation } from './wire';

/** True if the caller may change data; undefined until that is known. */
export const mayWrite = signal<boolean | undefined>(undefined);

const EVERY_MS = 30_000;
const SHOWN_LOW = 3;

/** Requests the recommendations, the best first. */
export function useAdvice(pattern?: string): Resource<readonly Recommendation[]> {
  return useResource('insights', { ...subject.value, pattern }, EVERY_MS);
}

export function AdvicePage() {
  return (
    <Card title="Advice" covers="by what was observed">
      <AdviceList of={useAdvice()} />
    </Card>
  );
}

export function AdviceList({ of, limit = Infinity }: { of: Resource<readonly Recommendation[]>; limit?: number }) {
  return (
    <Loaded of={of} empty={(all) => all.length === 0} nothing={<Nothing />}>
      {(all) => (
        <ol class="advice">
          {all.slice(0, limit).map((one) => (
            <Advice key={one.id} of={one} short={limit < Infinity} />
          ))}
          {all.length > limit && <li class="muted">and {all.length - limit} more</li>}
        </ol>
      )}
    </Loaded>
  );
}

/** Lists patterns that hit rarely, and why there is no advice on them. */
function Nothing() {
  const { page, subject: pattern } = route.value;
  const low = useResource<readonly LowPerformer[]>(
    'stats/low-performers',
    {
      window: windowName.value,
      threshold: 0.8,
      min_requests: 20,
      limit: page === 'pattern' ? undefined : SHOWN_LOW,
      ...subject.value,
    },
    EVERY_MS,
  );
  const listed = (low.data ?? []).filter((one) => page !== 'pattern' || one.pattern === pattern);
  return (
    <>
      <p>
        Nothing to change, as far as the figures show it: advice needs 1,000 accesses of a pattern, observed for twice
        its TTL.
      </p>
      <ul class="list">
        {listed.slice(0, SHOWN_LOW).map((one) => (
          <li key={one.pattern}>
            <PatternLink name={one.pattern} /> hits {percent(one.hit_rate)} of {count(one.total_requests)}.
            <span>{one.recommendation}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Advice({ of: one, short }: { of: Recommendation; short: boolean }) {
  const { code, pattern, layer, title, why, change, evidence, confidence, since } = one;
  const gains = predictedOf(one);
  return (
    <li>
      <div class="advice-head">
        <strong>{title}</strong>
        <span class="code">{code}</span>
      </div>
      <p>{why}</p>
      {change?.option !== undefined && (
        <p class="change">
          <code>{change.option}</code> <del>{change.from === null ? 'not set' : plain(change.from)}</del> →{' '}
          <ins>{plain(change.to)}</ins>
        </p>
      )}
      {gains.length > 0 && (
        <p class="gains">
          {gains.map(([label, text, term]) => (
            <span key={label}>
              <Term name={term}>{label}</Term> <b>{text}</b>
            </span>
          ))}
        </p>
      )}
      {!short && one.declared_by && one.declared_by.length > 0 && (
        <p class="muted">
          <DeclaredBy places={one.declared_by} />
        </p>
      )}
      {!short && change?.code && (
        <pre tabIndex={0}>
          <code>{change.code}</code>
        </pre>
      )}
      {!short && evidence && Object.keys(evidence).length > 0 && (
        <details>
          <summary>Evidence</summary>
          <ul class="legend evidence">
            {Object.entries(evidence).map(([name, value]) => {
              const [label, text] = labelled(name, value);
              return (
                <li key={name}>
                  <Defined as={EVIDENCE[name as keyof Recommendation['evidence']]}>{label}</Defined> <b>{text}</b>
                </li>
              );
            })}
          </ul>
        </details>
      )}
      <div class="actions">
        {pattern && <PatternLink name={pattern} />}
        {layer && <span>layer {layer}</span>}
        {confidence && <span class="muted">confidence {confidence}</span>}
        {since && <span class="muted">since {moment(since)}</span>}
        <span class="buttons">
          <Apply of={one} />
          <Copy what={`the advice on ${pattern ?? layer ?? code}`} text={() => textOf(one)} />
        </span>
      </div>
    </li>
  );
}

/** Returns the predicted effects of a change, each with its error. */
function predictedOf({ predicted }: Recommendation): [label: string, text: string, term: TermName][] {
  const errors: Readonly<Record<string, unknown>> = predicted;
  return Object.entries(predicted)
    .filter(([name, value]) => value !== null && !name.endsWith('_error'))
    .map(([name, value]) => {
      const [label, text] = labelled(name, value);
      const error = errors[`${name}_error`];
      return [label, typeof error === 'number' ? `${text} ± ${percent(error)}` : text, name as keyof typeof predicted];
    });
}

/** The options that can be changed while the application runs. */
const AT_RUN_TIME: readonly string[] = TUNABLE_FIELDS;

/**
 * Shows a change and its predicted effects, and applies it after confirmation. Nothing is shown if the caller may not change
 * data, or if the option cannot be changed at run time.
 */
function Apply({ of: one }: { of: Recommendation }) {
  const { pattern, change, title } = one;
  const dialog = useRef<HTMLDialogElement>(null);
  const [refusal, setRefusal] = useState<Refusal>();
  if (!mayWrite.value || !pattern || !change?.option || !AT_RUN_TIME.includes(change.option)) return null;
  const apply = async () => {
    try {
      await write('PATCH', 'policies', { pattern, ...namedCache.value }, { [change.option!]: change.to });
      dialog.current?.close();
      refresh();
    } catch (error) {
      setRefusal(error as Refusal);
    }
  };
  return (
    <>
      <button type="button" onClick={() => dialog.current?.showModal()}>
        Apply…
      </button>
      <dialog ref={dialog} aria-label={`Apply: ${title}`}>
        <h3>{title}</h3>
        <p class="change">
          <PatternLink name={pattern} />: <code>{change.option}</code>{' '}
          <del>{change.from === null ? 'not set' : plain(change.from)}</del> → <ins>{plain(change.to)}</ins>
        </p>
        <dl class="facts">
          {predictedOf(one).map(([label, text, term]) => (
            <Fact key={label} term={term} label={`predicted ${label}`} value={text} />
          ))}
        </dl>
        <p>
          It is in force at once, on every instance that shares a Redis, until it is reverted or a deploy changes the
          declared value. Other values that are overridden stay, and so does the end of that override.
        </p>
        {refusal && <Refused refusal={refusal} />}
        <div class="actions">
          <span class="push" />
          <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="button" class="primary" onClick={() => void apply()}>
            Apply now
          </button>
        </div>
      </dialog>
    </>
  );
}

function textOf(one: Recommendation): string {
  const { code, pattern, layer, title, why, change, evidence, declared_by: declaredBy, since } = one;
  const about = { pattern, layer };
  return issueText({
    title: `${title} (${code})`,
    why,
    about,
    evidence,
    change,
    predicted: predictedOf(one).map(([label, text]) => [label, text] as const),
    declaredBy,
    since,
  });
}
