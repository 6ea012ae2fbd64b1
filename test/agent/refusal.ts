/** The run never starts: the pipeline, its connections file or the extension cannot be used. All mistakes at once. */
export class PipelineRefused extends Error {
  override readonly name = 'PipelineRefused';
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(`The run cannot start:\n${mistakes.map((mistake) => `- ${mistake}`).join('\n')}`);
    this.mistakes = mistakes;
  }
}
