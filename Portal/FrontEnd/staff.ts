// What the staff screens do in the browser itself: nothing here is needed to read a screen.
import { watchConnection } from './staff/connection';
import { keepDrafts } from './staff/drafts';
import { listenToKeys, openDialogs } from './staff/keys';
import { findRefusals } from './staff/refusals';
import { arrangeByDrag } from './staff/arrange';
import { listenToPreferences } from './staff/preferences';
import { keepTimes } from './staff/times';

watchConnection();
keepDrafts();
listenToKeys();
openDialogs();
findRefusals();
arrangeByDrag();
listenToPreferences();
keepTimes();
