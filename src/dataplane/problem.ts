/** Something that is not in force as it should be: `policy NAME`, `10.65.0.1/32`, and what is wrong with it. */
export interface ObjectProblem {
  readonly object: string;
  readonly problem: string;
}
