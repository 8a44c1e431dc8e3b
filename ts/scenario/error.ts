/** A scenario document that cannot be run: the message names the place in it and what was expected there. */
export class ScenarioError extends Error {
  override readonly name: string = "ScenarioError";
  /** The place, such as `steps[3].range`. */
  readonly where: string;

  constructor(where: string, problem: string) {
    super(`${where}: ${problem}`);
    this.where = where;
  }
}
