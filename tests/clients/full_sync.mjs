// A full custom sync of either service, as full_sync.py has it: node full_sync.mjs kendra|qbusiness
import assert from "node:assert/strict";
import * as k from "@aws-sdk/client-kendra";
import * as q from "@aws-sdk/client-qbusiness";

const AWKWARD = "folder//b%2F ü😀.txt";
const WAYS = ["SYNCING", "STOPPING", "SYNCING_INDEXING"];
const BLOB = new TextEncoder().encode("The quick brown fox");

// Nobody waits: the emulator's clock is pushed ahead.
const wait = () =>
  fetch(`${process.env.AWS_ENDPOINT_URL}/_docferry/clock`, { method: "POST", body: '{"seconds": 1}' });

async function untilActive(ask) {
  for (let status; (status = await ask()) !== "ACTIVE"; await wait()) assert.equal(status, "CREATING");
}

async function untilEnded(ask, member) {
  for (let seen = 0; ; await wait()) {
    const job = await ask();
    if (job[member] === "SUCCEEDED") return job;
    assert.ok(WAYS.indexOf(job[member]) >= seen, job[member]);
    seen = WAYS.indexOf(job[member]);
  }
}

async function kendra() {
  const client = new k.KendraClient({});
  const RoleArn = "arn:aws:iam::123456789012:role/kendra";
  const { Id: IndexId } = await client.send(new k.CreateIndexCommand({ Name: "docs", RoleArn }));
  await untilActive(async () => (await client.send(new k.DescribeIndexCommand({ Id: IndexId }))).Status);
  const { Id } = await client.send(new k.CreateDataSourceCommand({ IndexId, Name: "wiki", Type: "CUSTOM" }));
  const source = { IndexId, Id };
  await untilActive(async () => (await client.send(new k.DescribeDataSourceCommand(source))).Status);

  const start = async () => (await client.send(new k.StartDataSourceSyncJobCommand(source))).ExecutionId;
  const stop = async () => {
    await client.send(new k.StopDataSourceSyncJobCommand(source));
    const last = async () => (await client.send(new k.ListDataSourceSyncJobsCommand(source))).History[0];
    return (await untilEnded(last, "Status")).Metrics;
  };
  const found = async () => {
    const { ResultItems } = await client.send(new k.QueryCommand({ IndexId, QueryText: "foxes" }));
    return new Set(ResultItems.map((item) => item.DocumentId));
  };

  const job = await start();
  const Attributes = [
    { Key: "_data_source_id", Value: { StringValue: Id } },
    { Key: "_data_source_sync_job_execution_id", Value: { StringValue: job } },
  ];
  const Documents = ["fox", AWKWARD].map((id) => ({ Id: id, Title: id, Blob: BLOB, Attributes }));
  const put = await client.send(new k.BatchPutDocumentCommand({ IndexId, Documents }));
  assert.deepEqual(put.FailedDocuments, []);
  assert.equal((await stop()).DocumentsAdded, "2");
  assert.deepEqual(await found(), new Set(["fox", AWKWARD]));

  const DataSourceSyncJobMetricTarget = { DataSourceId: Id, DataSourceSyncJobId: await start() };
  const gone = { IndexId, DocumentIdList: [AWKWARD], DataSourceSyncJobMetricTarget };
  assert.deepEqual((await client.send(new k.BatchDeleteDocumentCommand(gone))).FailedDocuments, []);
  assert.equal((await stop()).DocumentsDeleted, "1");
  assert.deepEqual(await found(), new Set(["fox"]));
  await assert.rejects(client.send(new k.DescribeDataSourceCommand({ IndexId, Id: "none" })), k.ResourceNotFoundException);
}

async function qbusiness() {
  const client = new q.QBusinessClient({});
  assert.equal(client.config.requestHandler.metadata.handlerProtocol, "h2");
  const { applicationId } = await client.send(new q.CreateApplicationCommand({ displayName: "docs" }));
  await untilActive(async () => (await client.send(new q.GetApplicationCommand({ applicationId }))).status);
  const { indexId } = await client.send(new q.CreateIndexCommand({ applicationId, displayName: "docs" }));
  const index = { applicationId, indexId };
  await untilActive(async () => (await client.send(new q.GetIndexCommand(index))).status);
  const native = { type: "NATIVE_INDEX", configuration: { nativeIndexConfiguration: { indexId } } };
  const { retrieverId } = await client.send(
    new q.CreateRetrieverCommand({ applicationId, displayName: "docs", ...native }),
  );
  const configuration = { type: "CUSTOM", version: "1.0.0" };
  const { dataSourceId } = await client.send(
    new q.CreateDataSourceCommand({ ...index, displayName: "wiki", configuration }),
  );
  const source = { ...index, dataSourceId };
  await untilActive(async () => (await client.send(new q.GetDataSourceCommand(source))).status);

  const start = async () => (await client.send(new q.StartDataSourceSyncJobCommand(source))).executionId;
  const stop = async () => {
    await client.send(new q.StopDataSourceSyncJobCommand(source));
    const last = async () => (await client.send(new q.ListDataSourceSyncJobsCommand(source))).history[0];
    return (await untilEnded(last, "status")).metrics;
  };
  const found = async () => {
    const asked = { applicationId, queryText: "foxes", contentSource: { retriever: { retrieverId } } };
    const { relevantContent } = await client.send(new q.SearchRelevantContentCommand(asked));
    return new Set(relevantContent.map((item) => item.documentId));
  };

  const documents = ["fox", AWKWARD].map((id) => ({ id, title: id, content: { blob: BLOB } }));
  const put = await client.send(
    new q.BatchPutDocumentCommand({ ...index, dataSourceSyncId: await start(), documents }),
  );
  assert.deepEqual(put.failedDocuments, []);
  assert.equal((await stop()).documentsAdded, "2");
  assert.deepEqual(await found(), new Set(["fox", AWKWARD]));
  const access = await client.send(
    new q.CheckDocumentAccessCommand({ ...index, userId: "ann@example.com", documentId: AWKWARD }),
  );
  assert.equal(access.hasAccess, true);

  const gone = { dataSourceSyncId: await start(), documents: [{ documentId: AWKWARD }] };
  assert.deepEqual((await client.send(new q.BatchDeleteDocumentCommand({ ...index, ...gone }))).failedDocuments, []);
  assert.equal((await stop()).documentsDeleted, "1");
  assert.deepEqual(await found(), new Set(["fox"]));
  await assert.rejects(client.send(new q.GetIndexCommand({ ...index, indexId: "0".repeat(36) })), q.ResourceNotFoundException);
}

await { kendra, qbusiness }[process.argv[2]]();
