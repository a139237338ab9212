// A book opened from disk may not read its own pages: search finds them by its index, and leaves out their first lines.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
