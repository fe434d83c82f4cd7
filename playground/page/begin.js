// All parts are there.

begin();
