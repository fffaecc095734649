-- The books and the Prefect server's runs are databases of a user that may do nothing else.
\getenv password POSTGRES_PASSWORD
CREATE ROLE billclose LOGIN PASSWORD :'password';
CREATE DATABASE billclose OWNER billclose;
CREATE DATABASE prefect OWNER billclose;
