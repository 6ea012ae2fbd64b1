import assert from 'node:assert/strict';
import { LineSplitter } from '../../agent/line-splitter.ts';
import { escapeCommandText, parseLoggingCommand } from '../../agent/logging-command.ts';

describe('logging command parser', () => {
  const parse = (line: string, decode = true) => {
    const command = parseLoggingCommand(line, decode);
    return command && { ...command, properties: Object.fromEntries(command.properties) };
  };

  it('reads area, event, properties and data', () => {
    assert.deepEqual(parse('##vso[area.event k1=v1;]msg'), {
      area: 'area',
      event: 'event',
      properties: { k1: 'v1' },
      data: 'msg',
    });
  });

  it('unescapes the four symbols first and the percent sign last', () => {
    const line = '##vso[area.event k1=%3B=%0D=%0A=%5D%AZP25;]%3B-%0D-%0A-%5D%AZP253B';
    assert.deepEqual(parse(line)?.properties, { k1: ';=\r=\n=]%' });
    assert.equal(parse(line)?.data, ';-\r-\n-]%3B');
  });

  it('leaves the percent sign escaped when percent signs are not decoded', () => {
    assert.equal(parse('##vso[area.event]a%AZP25b%0A', false)?.data, 'a%AZP25b\n');
  });

  it('does not take %25 or lower-case hex for an escape', () => {
    assert.equal(parse('##vso[area.event]%25 %3b')?.data, '%25 %3b');
  });

  it('finds the command after other text, and drops pairs without a value', () => {
    assert.deepEqual(parse('>>>   ##vso[area.event k1=;k2=v2;=x;k3]msg'), {
      area: 'area',
      event: 'event',
      properties: { k2: 'v2' },
      data: 'msg',
    });
  });

  it('keeps equal signs at the end of a value', () => {
    assert.deepEqual(parse('##vso[a.b value=YWI==;]')?.properties, { value: 'YWI==' });
  });

  it('takes the first bracket after the prefix for the end', () => {
    assert.equal(parse('##vso[a.b]x]y')?.data, 'x]y');
  });

  for (const line of ['##vso[task]x', '##vso[a.b.c]x', '##VSO[a.b]x', '##vso[a.b', 'plain', '##vso[.a]x']) {
    it(`finds no command in ${line}`, () => {
      assert.equal(parseLoggingCommand(line), undefined);
    });
  }

  it('escapes so that parsing gives the text back', () => {
    const text = '100%;]\r\n%AZP25%3B';
    assert.equal(parse(`##vso[a.b k=${escapeCommandText(text, true)}]`)?.properties['k'], text);
  });
});

describe('line splitter', () => {
  it('ends lines at \\n, \\r and \\r\\n, also where a chunk cuts them', () => {
    const splitter = new LineSplitter();
    const lines = ['a\r', '\nb\rc\n', '\n'].flatMap((chunk) => splitter.push(Buffer.from(chunk)));
    assert.deepEqual(lines, ['a', 'b', 'c', '']);
  });

  it('joins a character that two chunks share, and gives the rest at the end', () => {
    const splitter = new LineSplitter();
    const bytes = Buffer.from('a\u00e9');
    assert.deepEqual([...splitter.push(bytes.subarray(0, 2)), ...splitter.push(bytes.subarray(2))], []);
    assert.deepEqual(splitter.end(), ['a\u00e9']);
  });
});
