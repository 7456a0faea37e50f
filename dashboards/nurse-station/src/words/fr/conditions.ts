export { conditions } from '../en/conditions';
