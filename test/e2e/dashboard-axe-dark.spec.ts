import { findsNoViolations } from '../support/dashboard-axe.js';

findsNoViolations('dark');
