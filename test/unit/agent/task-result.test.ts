import assert from 'node:assert/strict';
import { mergeTaskResults, parseTaskResult } from '../../agent/task-result.ts';

describe('task result', () => {
  it('takes the worse of two, and keeps what is beyond failed', () => {
    assert.equal(mergeTaskResults(undefined, 'Succeeded'), 'Succeeded');
    assert.equal(mergeTaskResults('SucceededWithIssues', 'Succeeded'), 'SucceededWithIssues');
    assert.equal(mergeTaskResults('Succeeded', 'Failed'), 'Failed');
    assert.equal(mergeTaskResults('Failed', 'Skipped'), 'Skipped');
    assert.equal(mergeTaskResults('Canceled', 'Failed'), 'Canceled');
    assert.equal(mergeTaskResults('Canceled', 'Abandoned'), 'Canceled');
  });

  it('reads exact names and numbers; the spelling with two l is none', () => {
    assert.equal(parseTaskResult('Canceled'), 'Canceled');
    assert.equal(parseTaskResult('2'), 'Failed');
    assert.equal(parseTaskResult('Cancelled'), undefined);
    assert.equal(parseTaskResult('failed'), undefined);
    assert.equal(parseTaskResult('6'), undefined);
  });
});
