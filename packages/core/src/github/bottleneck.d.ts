// The part without Redis, which the throttling plugin uses too; the package has types for the whole alone.
declare module 'bottleneck/light.js' {
  import Bottleneck from 'bottleneck';
  export default Bottleneck;
}
