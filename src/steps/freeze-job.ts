import { frozenVariable, readFrozenFacts } from '../pipeline/frozen-copy.ts';
import type { Stage } from './stage.ts';
import { connectionIdOf } from './token-request.ts';

/**
 * Pre-job stage: before any step of the job runs, the connection's fields, the collection, the proxy and the ids are
 * frozen in a secret task variable. The main stage refuses on any difference.
 */
export async function freezeJob({ pipeline }: Stage): Promise<void> {
  const facts = readFrozenFacts(pipeline, connectionIdOf(pipeline));
  pipeline.setTaskVariable(frozenVariable, JSON.stringify(facts));
  pipeline.info(
    'Scoped Token noted how the job is set up: its connection, collection, proxy and ids. Steps that change them from now on are noticed.',
  );
}
