import type { Rollback, SubjectChange } from '../../datastore/index.js';
import type { Resource } from '../../resources/index.js';
import { defineCommand, flag, required, text } from '../command.js';
import { rollbackHelp } from '../help/history.js';
import { visible } from '../output/index.js';
import { failingAs } from './failing-as.js';
import { withAdvice } from './no-atomic-advice.js';
import { badRevision, openHistory, parseRevision } from './revisions/open-history.js';
import { subjectName } from './revisions/subject-name.js';
import { countsText } from './revisions/summary.js';

/** Nodes and pools that go: the address manager keeps something of them. */
function holders(changes: readonly SubjectChange[]): readonly Pick<Resource, 'kind' | 'metadata'>[] {
  return changes.flatMap(({ subject, change }) =>
    change === 'deleted' && subject.kind === 'resource' && /^(node|ipPool)$/.test(subject.resourceKind)
      ? [{ kind: subject.resourceKind, metadata: subject.metadata }]
      : [],
  );
}

/** `Left alone: 3 workloadEndpoint, 1 node (…)`. */
function leftAloneLine({ leftAlone }: Rollback): string {
  const kinds = Map.groupBy(leftAlone, subject =>
    subject.kind === 'resource' ? subject.resourceKind : 'config of hosts',
  );
  const counts = [...kinds].map(([kind, { length }]) => `${String(length)} ${kind}`).join(', ');
  return `Left alone: ${counts} (they tell what runs now; --include-live brings them back as well)`;
}

/** What was done, or would be. */
function report(
  done: Rollback,
  { to, dryRun }: { readonly to: number; readonly dryRun: boolean },
): readonly string[] {
  const { changes, leftAlone } = done;
  const lines: string[] = [];
  if (changes.length === 0)
    lines.push(`Nothing to do: the configuration is as it was at revision ${String(to)}`);
  else if (dryRun) {
    lines.push(...changes.map(({ subject, change }) => `${subjectName(subject)} ${change} (dry run)`));
    lines.push(`Nothing was written: ${countsText(changes)}`);
  } else {
    lines.push(
      `Successfully rolled back to revision ${String(to)}: ${countsText(changes)} (revision ${String(done.revision)})`,
    );
  }
  if (leftAlone.length > 0) lines.push(leftAloneLine(done));
  return lines;
}

export const rollbackCommand = defineCommand({
  path: ['rollback'],
  help: rollbackHelp,
  options: {
    to: required('--to'),
    dryRun: flag('--dry-run'),
    includeLive: flag('--include-live'),
    noAtomic: flag('--no-atomic'),
    config: text('--config'),
  },
  run: async ({ options, ...services }) => {
    const { out, clock, datastore } = services;
    const { dryRun, includeLive, noAtomic } = options;
    const to = parseRevision(options.to);
    if (to === undefined) {
      out.line(visible(badRevision('--to', options.to)));
      return 1;
    }
    const history = await openHistory(services);
    return await failingAs({ prefix: 'Failed to roll back', out }, async () => {
      let done = await history.rollBack({ to, includeLive, dryRun: true });
      const write = async (): Promise<void> => {
        try {
          done = await history.rollBack({ to, includeLive, inParts: noAtomic });
        } catch (error) {
          throw withAdvice(error);
        }
      };
      const resources = holders(done.changes);
      if (!dryRun && resources.length === 0) await write();
      else if (!dryRun) {
        const { deleteReleasing } = await import('./release-addresses.js');
        await deleteReleasing(await datastore(), { resources, clock, write });
      }
      for (const line of report(done, { to, dryRun })) out.line(visible(line));
      return 0;
    });
  },
});
