// Heights of a vertebral body from six points and its grade after Genant, as the server works them out again.

export const SIX_POINTS = [
  "anterior superior",
  "middle superior",
  "posterior superior",
  "posterior inferior",
  "middle inferior",
  "anterior inferior",
];
// Mild from 20 %, moderate from 25 %, severe from 40 % of the height lost.
const GRADES = [0.2, 0.25, 0.4];
const sixth = (value) => Math.round(value * 1e6) / 1e6;

export function heightsOf(points, [rowGap, columnGap] = [1, 1]) {
  const apart = (above, below) => Math.hypot((above[0] - below[0]) * columnGap, (above[1] - below[1]) * rowGap);
  return {
    anterior: apart(points[0], points[5]),
    middle: apart(points[1], points[4]),
    posterior: apart(points[2], points[3]),
  };
}

// neighbours: mean posterior height of the bodies above and below, or null; the answer is null where there is no ratio.
export function gradeOf({ anterior, middle, posterior }, neighbours = null) {
  if (!(posterior > 0) || (neighbours !== null && !(neighbours > 0))) return null;
  const wedge = anterior / posterior;
  const biconcave = middle / posterior;
  const crush = neighbours === null ? null : Math.max(anterior, middle, posterior) / neighbours;
  let [loss, kind] = sixth(1 - biconcave) > sixth(1 - wedge) ? [sixth(1 - biconcave), "biconcave"] : [sixth(1 - wedge), "wedge"];
  const crushed = crush === null ? 0 : sixth(1 - crush);
  if (crushed >= GRADES[0] || crushed > loss) [loss, kind] = [Math.max(loss, crushed), "crush"];
  const grade = GRADES.filter((bound) => loss >= bound).length;
  return { wedge, biconcave, crush, loss: Math.max(0, loss), grade, kind: grade ? kind : "" };
}
