-- The Prefect server keeps its runs in a database of its own.
CREATE DATABASE prefect OWNER billclose;
