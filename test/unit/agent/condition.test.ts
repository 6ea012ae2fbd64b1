import assert from 'node:assert/strict';
import { ConditionError, evaluateCondition } from '../../agent/condition.ts';

describe('condition', () => {
  const evaluate = (expression: string, jobStatus = 'Succeeded') =>
    evaluateCondition(expression, {
      jobStatus,
      variable: (name) => ({ 'build.reason': 'Manual', flag: 'true', count: '12', quote: "it's" })[name.toLowerCase()],
    });

  const statuses: [expression: string, holds: string[]][] = [
    ['succeeded()', ['Succeeded', 'SucceededWithIssues']],
    ['failed()', ['Failed']],
    ['canceled()', ['Canceled']],
    ['succeededOrFailed()', ['Succeeded', 'SucceededWithIssues', 'Failed']],
    ['always()', ['Succeeded', 'SucceededWithIssues', 'Failed', 'Canceled']],
  ];
  for (const [expression, holds] of statuses) {
    it(`${expression} holds for ${holds.join(', ')}`, () => {
      const all = ['Succeeded', 'SucceededWithIssues', 'Failed', 'Canceled'];
      assert.deepEqual(
        all.filter((status) => evaluate(expression, status)),
        holds,
      );
    });
  }

  const truths: [expression: string, value: boolean][] = [
    ["eq(variables['Build.Reason'], 'manual')", true],
    ["and(succeeded(), ne(variables['Build.Reason'], 'PullRequest'))", true],
    ['eq(variables.flag, true)', true],
    ["eq(variables['missing'], '')", true],
    ['gt(variables.count, 2)', false],
    ['gt(12, variables.count)', false],
    ['ge(12, variables.count)', true],
    ["or(failed(), not(eq('a', 'b')))", true],
    ["in('b', 'a', 'B')", true],
    ["notIn('c', 'a', 'b')", true],
    ["startsWith(variables.quote, 'IT''S')", true],
    ["contains('refs/heads/main', 'heads')", true],
    ["xor(true, 'x')", false],
  ];
  for (const [expression, value] of truths) {
    it(`${expression} is ${value}`, () => {
      assert.equal(evaluate(expression), value);
    });
  }

  for (const expression of ['succeeded(', 'nope()', "eq('a' 'b')", 'always() always()', '#', "variables['a'"]) {
    it(`refuses ${expression}`, () => {
      assert.throws(() => evaluate(expression), ConditionError);
    });
  }
});
