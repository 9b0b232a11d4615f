import type { CacheLog } from '../../cache/base/cache-log.js';
import type { KeyPolicy } from '../../cache/policies/key-policies.js';
import type { ReadPlan } from '../../cache/policies/read-plan.js';
import type { DeclaredKeys, DeclaredTemplate } from '../keys/declared-keys.js';
import type { TagTemplates } from '../invalidation/tag-templates.js';

interface Declared {
  readonly plan: Pick<ReadPlan, 'policy'>;
  /** Undefined if the policy contains all tags. */
  readonly tags: TagTemplates | undefined;
}

/**
 * Finds the policy and tags of keys that declared templates make, for code that writes entries outside their handler. Tags that
 * name inputs are filled with inputs from the key.
 */
export class DeclaredPolicies {
  readonly #declared = new Map<DeclaredTemplate, Declared>();
  readonly #warned = new Set<DeclaredTemplate>();

  constructor(
    private readonly keys: DeclaredKeys,
    private readonly log: CacheLog,
  ) {}

  declare(template: DeclaredTemplate, plan: Pick<ReadPlan, 'policy'>, tags: TagTemplates | undefined): void {
    this.#declared.set(template, { plan, tags });
  }

  /** Returns the policy and tags of a key; undefined if no declared template makes it. */
  of(key: string): KeyPolicy | undefined {
    const found = this.keys.find(key);
    const declared = found && this.#declared.get(found.template);
    if (found === undefined || declared === undefined) return undefined;
    const { tags } = declared;
    const { policy } = declared.plan;
    return {
      policy,
      tagsOf: (value) => {
        if (tags === undefined) return policy.tagsOf === undefined ? policy.tags : policy.tagsOf(value);
        const known = tags.fromInputs(found.inputs, value);
        if (known.length < tags.templates.length) this.#warn(found.template);
        return known;
      },
    };
  }

  #warn(template: DeclaredTemplate): void {
    if (this.#warned.has(template)) return;
    this.#warned.add(template);
    this.log(
      'warn',
      'TAGS_INCOMPLETE',
      `${template.owner}: an entry was written under '${template.template.text}' without a tag that names an input its key does ` +
        'not contain readably. Set the tags with the entry, or name the input in the template.',
    );
  }
}
