export { nodeMain } from './node-main.js';
