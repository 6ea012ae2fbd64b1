const areas: Readonly<Record<string, string>> = {
  agent: `acceptteeeula allowallendpoints allowallsecurefiles builddirectory containerid containernetwork diagnostic
    homedirectory id gituseschannel jobname jobstatus machinename name os osarchitecture osversion proxyurl
    proxyusername proxypassword proxybypasslist retaindefaultencoding readonlyvariables rootdirectory runmode
    serveromdirectory services cainfo clientcert clientcertkey clientcertarchive clientcertpassword
    skipcertvalidation tempdirectory toolsdirectory version workfolder workingdirectory clean.builddirectory
    source.git.lfs source.git.shallowfetchdepth source.skip releasedirectory`,
  build: `artifactstagingdirectory binariesdirectory buildnumber clean definitionname gated.runci gated.shelvesetname
    repository.clean repository.git.submodulecheckout repository.id repository.localpath repository.name
    repository.provider repository.tfvc.workspace repository.uri sourcebranch sourcetfvcshelveset sourceversion
    sourcesdirectory stagingdirectory syncsources useserverworkspaces`,
  common: 'testresultsdirectory',
  pipeline: 'workspace',
  release: `attemptnumber definitionname environmentname environmenturi definitionid releasedescription releaseid
    releasename requestedforid releaseuri artifact.download.buffersize artifact.download.parallellimit releaseweburl
    requestedfor robocopymt skipartifactsdownload`,
  system: `accesstoken artifactsdirectory collectionid culture debug defaultworkingdirectory definitionid
    enableaccesstoken hosttype jobattempt jobid jobname phaseattempt phasedisplayname phasename prefergitfrompath
    pullrequest.targetbranch selfmanagegitcreds servertype stageattempt stagename teamfoundationserveruri teamproject
    teamprojectid workfolder`,
  task: 'displayname',
};

/**
 * Names that the agent holds to be read-only whoever set them, in lower case (`Constants.cs` ReadOnlyVariables).
 * `system.collectionUri`, `system.oidcRequestUri`, `system.planId` and `system.timelineId` are not among them.
 */
export const readOnlyVariableNames: ReadonlySet<string> = new Set(
  Object.entries(areas).flatMap(([area, names]) => names.split(/\s+/).map((name) => `${area}.${name}`)),
);
