/**
 * The x that minimises ‖A·x − b‖, by Householder QR with scaled columns.
 *
 * @param columns A, column by column; independent, each as long as `target`
 * @param target b; at least as long as there are columns
 */
export function leastSquares(columns: readonly (readonly number[])[], target: readonly number[]): number[] {
  const scales = columns.map((column) => Math.hypot(...column) || 1);
  const work = columns.map((column, k) => column.map((value) => value / scales[k]));
  const right = [...target];
  for (let k = 0; k < work.length; k++) {
    const reflector = work[k].slice(k);
    const length = Math.sqrt(dot(reflector, reflector));
    const diagonal = reflector[0] > 0 ? -length : length;
    reflector[0] -= diagonal;
    const scale = dot(reflector, reflector);
    if (scale > 0) {
      for (let j = k + 1; j < work.length; j++) reflect(work[j], reflector, scale, k);
      reflect(right, reflector, scale, k);
    }
    work[k][k] = diagonal;
  }
  const solution = new Array<number>(work.length).fill(0);
  for (let k = work.length - 1; k >= 0; k--) {
    let rest = right[k];
    for (let j = k + 1; j < work.length; j++) rest -= work[j][k] * solution[j];
    solution[k] = rest / work[k][k];
  }
  return solution.map((value, k) => value / scales[k]);
}

/** vector[from…] −= 2·(reflector·vector)/‖reflector‖² · reflector */
function reflect(vector: number[], reflector: readonly number[], scale: number, from: number): void {
  let projection = 0;
  for (let i = 0; i < reflector.length; i++) projection += reflector[i] * vector[from + i];
  projection *= 2 / scale;
  for (let i = 0; i < reflector.length; i++) vector[from + i] -= projection * reflector[i];
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
