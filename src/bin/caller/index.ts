export { loginUser } from './login-user.js';
